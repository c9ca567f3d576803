"""The verbs: each joins packages that do not know each other into one thing a user asked for.

Each group is one kind of work: ``authoring``, ``testing``, ``running``, ``images``, ``signatures``.
May import: everything below; never ``weft.cli``.
"""
