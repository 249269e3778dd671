"""CI/CD for machine-learning models: is the pull request's model better than the one on main?"""

__version__ = "0.1.0"
