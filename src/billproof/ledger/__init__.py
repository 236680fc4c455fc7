"""Everything that talks to the chain: endpoints, root look-up, transactions, deployments.

``rpc``, ``lookup`` and ``deployments`` import neither web3 nor eth_account, so that checking a bill starts
fast; ``embedded``, ``client``, ``signers``, ``deploy``, ``outbox`` and ``local_evm`` do, and are imported by
those who need them.
"""
