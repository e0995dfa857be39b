"""From the bytes of an image to its renditions. Pure: no network, no database, no clock."""
