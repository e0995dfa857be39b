"""What runs for a resource: its secrets, its evaluation servers, and the services chart."""
