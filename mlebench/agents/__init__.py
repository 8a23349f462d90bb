"""What an agents/ folder says, and how its adapter is started."""
