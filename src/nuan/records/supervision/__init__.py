"""What was judged: runs, judgements (only ever added), and the stored cells of the clause board."""
