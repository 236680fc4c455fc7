// hashStruct by viem. Standard input: [{type, message}], integers as decimal strings, bytes as 0x hex.
// Standard output: [hash].
import { readFileSync } from 'node:fs'
import { hashStruct } from 'viem/utils'

const types = JSON.parse(readFileSync(new URL('types.json', import.meta.url)))

function typed(type, message) {
  const values = types[type].map((field) => {
    const value = message[field.name]
    if (field.type in types) return [field.name, typed(field.type, value)]
    return [field.name, /^u?int/.test(field.type) ? BigInt(value) : value]
  })
  return Object.fromEntries(values)
}

const cases = JSON.parse(readFileSync(0))
const hashes = cases.map(({ type, message }) =>
  hashStruct({ types, primaryType: type, data: typed(type, message) }),
)
process.stdout.write(JSON.stringify(hashes))
