"""A three-zone Kubernetes on this machine, to try everything on."""
