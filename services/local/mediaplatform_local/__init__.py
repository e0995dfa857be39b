"""The same resource on one machine: servers from wheels, wiring, processes."""
