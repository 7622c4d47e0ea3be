"""In: facts and dated parameters. Out: judgements in whole fen, each with the branch taken and its explanation."""
