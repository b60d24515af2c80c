//! ISO: disc images with ISO 9660, UDF and El Torito.
