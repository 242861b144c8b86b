"""The network over slices: engines, what they are asked, and the image features they keep."""
