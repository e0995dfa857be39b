"""What the product must do on a real cluster of three zones; driven through KUBECONFIG."""
