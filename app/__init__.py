"""Assay turns an assessor's decision into an Open Badges 3.0 credential."""
