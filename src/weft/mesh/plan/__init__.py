"""The steps by which an intent comes to hold, and what every target needs to make them."""
