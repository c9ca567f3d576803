"""The verbs: each joins packages that do not know each other into one thing a user asked for.

May import: everything below; never ``weft.cli``.
"""
