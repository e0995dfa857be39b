"""The life of a media item: uploads, states, renditions, trash."""
