"""One level-based reconcile: observe, plan, act, and say where it stands."""
