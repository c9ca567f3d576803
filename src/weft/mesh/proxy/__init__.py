"""What an Envoy is told of its filters: configs, places in the chain, whole bootstraps."""
