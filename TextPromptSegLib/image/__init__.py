"""Images in memory: volume, intensity, slices, sizes and regions of the patient."""
