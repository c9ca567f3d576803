"""What a user wants of one filter: as a value, as a document read strictly, as a schema."""
