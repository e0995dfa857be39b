"""The running operator: kopf's watches, one loop per resource, a Lease, metrics and probes."""
