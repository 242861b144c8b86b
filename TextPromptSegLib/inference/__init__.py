"""From an image and prompts to answers: predictor, engines, caches, post-processing."""
