"""One image, many images, many machines: jobs, batches, outputs and reports."""
