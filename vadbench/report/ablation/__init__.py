"""What an ablation found: rows, tables, figures."""
