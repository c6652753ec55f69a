"""Files that people write: read whole, as trees with places, by shapes; what is wrong with them. Below all rooms."""
