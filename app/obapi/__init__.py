"""The Open Badges 3.0 REST API: a learner's badges for hosts and displayers that the learner admits."""
