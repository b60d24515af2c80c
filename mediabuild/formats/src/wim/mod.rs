//! WIM: Windows Imaging files.
