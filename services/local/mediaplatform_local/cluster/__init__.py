"""A resource on a cluster, as its engineer sees it: plan, status, events."""
