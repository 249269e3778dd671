"""Model images: dependencies below, the model on top, put together without a Docker engine."""
