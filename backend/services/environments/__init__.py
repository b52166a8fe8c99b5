"""Development environments: templates, the environments made from them, and the work that keeps them so."""
