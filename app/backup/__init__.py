"""Backup and restore of a shop: ledger, engine database and config in one archive.

**The ledger is saved before the engine.** A restored pair must not double anything, and each order of saving leaves a
gap of some seconds in which one of the two knows more than the other:

- Engine newer than ledger (ours): the ledger lacks effects that were done in the gap. That is the case of a lost ledger
  on a small scale, and every create looks in the portal for its key first: what is found is noted, not made again.
- Ledger newer than engine: the ledger holds claims of orders that the restored engine has never seen. The same order
  entered again would be taken for a duplicate and stopped, and an effect noted as done would be left out for a step
  that the engine is about to do. Work would be lost without a word.

For the same reason a restore puts back the archive's ledger even where a newer one is at hand. That newer one, and the
portal's cards, are asked for one thing only: the highest order number that was given out, so that it is not given out
again.
"""
