"""How long things take. Run by hand: nothing here passes or fails."""
