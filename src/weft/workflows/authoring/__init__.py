"""What an author does with a project and its module: init, build, inspect, check."""
