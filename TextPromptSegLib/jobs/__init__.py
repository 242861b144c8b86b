"""One image, many images, many machines; the files that come out."""
