"""From an intent to a plan, one module per way to reach proxies. They do not know each other."""
