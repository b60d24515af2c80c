//! Media variables (`variables.dat`): the encrypted name and value list of a medium.
