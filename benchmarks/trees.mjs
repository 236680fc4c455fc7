// What trees.py measures, by libraries for Node.js: node benchmarks/trees.mjs LIBRARY LEAVES_FILE PROOFS
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { SimpleMerkleTree } from '@openzeppelin/merkle-tree'
import { MerkleTree } from 'merkletreejs'
import { keccak256 } from 'viem'

const STEP = 7919

const libraries = {
  openzeppelin(leaves) {
    return () => {
      const tree = SimpleMerkleTree.of(leaves, { sortLeaves: false })
      return { root: tree.root, prove: (index) => tree.getProof(index), refused: () => 0 }
    }
  },

  // With `complete` and `sortPairs` it builds the same tree, if it gets the leaves in the order in which they
  // stand in that tree from the left: first those of the lowest level. Its own check refuses some of its proofs.
  merkletreejs(leaves) {
    const count = leaves.length
    const lowest = count > 1 ? 2 * count - 2 ** Math.ceil(Math.log2(count)) : 1
    const ordered = [...leaves.slice(0, lowest).reverse(), ...leaves.slice(lowest).reverse()]
    const place = (index) => (index < lowest ? lowest - 1 - index : count - 1 + lowest - index)
    const hash = (value) => Buffer.from(keccak256(value, 'bytes'))
    return () => {
      const tree = new MerkleTree(ordered, hash, { complete: true, sortPairs: true })
      const prove = (index) => tree.getHexProof(leaves[index], place(index))
      const refuses = (index) => !tree.verify(prove(index), leaves[index], tree.getRoot())
      return { root: tree.getHexRoot(), prove, refused: (indexes) => indexes.filter(refuses).length }
    }
  },
}

const [library, file, proofs] = process.argv.slice(2)
const content = readFileSync(file)
const leaves = Array.from({ length: content.length / 32 }, (_, at) => content.subarray(32 * at, 32 * at + 32))
const indexes = Array.from({ length: Number(proofs) }, (_, at) => (at * STEP) % leaves.length)
const build = libraries[library](leaves)
const start = performance.now()
const tree = build()
const built = performance.now()
const paths = indexes.map((index) => tree.prove(index))
const done = performance.now()
const digest = createHash('sha256')
for (const node of paths.flat()) digest.update(Buffer.from(node.slice(2), 'hex'))
const peak = readFileSync('/proc/self/status', 'utf8').match(/VmHWM:\s+(\d+)/)[1]
console.log(
  JSON.stringify({
    'build seconds': (built - start) / 1e3,
    'proof microseconds': ((done - built) / Number(proofs)) * 1e3,
    'peak MB': Number(peak) / 1e3,
    root: tree.root.slice(2),
    proofs: digest.digest('hex'),
    refused: tree.refused(indexes),
  }),
)
