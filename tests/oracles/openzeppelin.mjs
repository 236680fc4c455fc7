// Roots and proofs by OpenZeppelin's merkle-tree. Standard input: [{leaves: [hash], proofs: [index]}].
// Standard output: [{root, proofs: [[hash]]}].
import { readFileSync } from 'node:fs'
import { SimpleMerkleTree } from '@openzeppelin/merkle-tree'

const answers = JSON.parse(readFileSync(0)).map(({ leaves, proofs }) => {
  const tree = SimpleMerkleTree.of(leaves, { sortLeaves: false })
  return { root: tree.root, proofs: proofs.map((index) => tree.getProof(index)) }
})
process.stdout.write(JSON.stringify(answers))
