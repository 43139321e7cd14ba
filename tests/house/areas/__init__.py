"""What the house tests need of each area of the API: ids of its objects, good calls, and mistakes."""
