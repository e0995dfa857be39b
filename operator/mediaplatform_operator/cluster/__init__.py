"""The cluster: reading, applying, comparing Kubernetes objects."""
