"""What Istio's targets share: its objects, its versions, the folder its proxies mount."""
