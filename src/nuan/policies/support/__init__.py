"""In: facts about assets, repairs, costs, funds, subsidies and debts. Out: who bears what, what is owed, what is overdue. No clause of its own."""
