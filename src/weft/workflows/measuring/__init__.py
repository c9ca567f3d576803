"""What a filter costs: time, instructions and memory."""
