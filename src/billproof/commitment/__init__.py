"""Typed hashes, trees and salts of the protocol. Knows no telecom and no chain."""
