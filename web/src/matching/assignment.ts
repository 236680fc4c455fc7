/**
 * The cheapest assignment of entries to lines, and among the cheapest the first in lexicographic order (docs/matching.md, section 6).
 *
 * Each connected component for itself. Shortest augmenting paths give one optimum and prices that prove it; every other optimum
 * differs by cycles through edges that cost exactly their prices, so the lines then take, in order, the first entry such a cycle allows.
 */

import { type Candidate, UNMATCHED } from "./candidates";

interface Edge {
  column: number;
  cost: number;
}

/** One number for an entry; these are in the entries' order. */
const keyOf = (candidate: Candidate): number => candidate.log * 2 ** 32 + candidate.entry;

/** For each line its candidate or null. */
export function assign(candidates: readonly (readonly Candidate[])[]): (Candidate | null)[] {
  const result: (Candidate | null)[] = candidates.map(() => null);
  for (const rows of components(candidates)) {
    const keys = new Set<number>();
    for (const row of rows) for (const each of candidates[row]!) keys.add(keyOf(each));
    const ordered = [...keys].sort((a, b) => a - b);
    const columns = new Map(ordered.map((key, column) => [key, column]));
    const edges = rows.map((row) => candidates[row]!.map((each) => ({ column: columns.get(keyOf(each))!, cost: each.cost })));
    const chosen = solve(edges, ordered.length);
    rows.forEach((row, i) => {
      const place = edges[i]!.findIndex((edge) => edge.column === chosen[i]);
      result[row] = place < 0 ? null : candidates[row]![place]!;
    });
  }
  return result;
}

/** Lines that share entries, directly or through others; each group in order. */
function components(candidates: readonly (readonly Candidate[])[]): number[][] {
  const parent = candidates.map((_, row) => row);
  const root = (row: number): number => {
    let top = row;
    while (parent[top] !== top) top = parent[top]!;
    for (let each = row; each !== top; ) [each, parent[each]] = [parent[each]!, top];
    return top;
  };
  const first = new Map<number, number>();
  candidates.forEach((list, row) => {
    for (const each of list) {
      const key = keyOf(each);
      const other = first.get(key);
      if (other === undefined) first.set(key, row);
      else parent[root(row)] = root(other);
    }
  });
  const groups = new Map<number, number[]>();
  candidates.forEach((list, row) => {
    if (list.length === 0) return;
    const top = root(row);
    const group = groups.get(top);
    if (group) group.push(row);
    else groups.set(top, [row]);
  });
  return [...groups.values()];
}

/** For each row the chosen column. Row i also has column `count + i` of its own, which means no entry. */
export function solve(given: readonly (readonly Edge[])[], count: number): number[] {
  const edges = given.map((list, row) => [...list].sort((a, b) => a.column - b.column).concat({ column: count + row, cost: UNMATCHED }));
  const state: State = {
    edges,
    rowPrice: edges.map(() => 0),
    columnPrice: new Array<number>(count + edges.length).fill(0),
    columnOf: edges.map(() => -1),
    rowOf: new Array<number>(count + edges.length).fill(-1),
  };
  for (let row = 0; row < edges.length; row += 1) augment(state, row);
  for (let row = 0; row < edges.length; row += 1) prefer(state, row);
  return state.columnOf;
}

interface State {
  edges: readonly (readonly Edge[])[];
  rowPrice: number[];
  /** Never above 0, and 0 for columns without a row. */
  columnPrice: number[];
  columnOf: number[];
  rowOf: number[];
}

function slack(state: State, row: number, edge: Edge): number {
  return edge.cost - state.rowPrice[row]! - state.columnPrice[edge.column]!;
}

/** Gives the row a column along the cheapest alternating path (Dijkstra over columns; of equally near ones the free ones first). */
function augment(state: State, start: number): void {
  const distance = new Map<number, number>();
  const from = new Map<number, number>();
  const done = new Map<number, number>();
  const heap = new Heap();
  let row = start;
  let length = 0;
  for (;;) {
    for (const edge of state.edges[row]!) {
      if (done.has(edge.column)) continue;
      const way = length + slack(state, row, edge);
      if (way >= (distance.get(edge.column) ?? Infinity)) continue;
      distance.set(edge.column, way);
      from.set(edge.column, row);
      heap.push(2 * way + (state.rowOf[edge.column] === -1 ? 0 : 1), edge.column);
    }
    let column = heap.pop();
    while (done.has(column)) column = heap.pop();
    length = distance.get(column)!;
    done.set(column, length);
    if (state.rowOf[column] === -1) {
      settle(state, start, done, length);
      flip(state, start, column, from);
      return;
    }
    row = state.rowOf[column]!;
  }
}

/** Changes the prices so that the path's edges cost exactly what they are worth. */
function settle(state: State, start: number, done: ReadonlyMap<number, number>, length: number): void {
  state.rowPrice[start]! += length;
  for (const [column, way] of done) {
    const row = state.rowOf[column]!;
    if (row === -1) continue;
    state.rowPrice[row]! += length - way;
    state.columnPrice[column]! -= length - way;
  }
}

function flip(state: State, start: number, end: number, from: ReadonlyMap<number, number>): void {
  let column = end;
  for (;;) {
    const row = from.get(column)!;
    const before = state.columnOf[row]!;
    state.columnOf[row] = column;
    state.rowOf[column] = row;
    if (row === start) return;
    column = before;
  }
}

/** Stands for all columns that may be without a row. */
const FREE = -2;

/**
 * Moves the row to the first column that it has in any optimum in which the rows before it stay.
 *
 * Whoever moves from column a to column b leaves a and pushes the row of b on; a column at price 0 may also be left empty, and an
 * empty one taken, which joins all those at the node `FREE`. From the row's column this walks such moves backwards.
 */
function prefer(state: State, row: number): void {
  const home = state.columnOf[row]!;
  const wanted = state.edges[row]!.filter(
    (edge) => edge.column < home && slack(state, row, edge) === 0 && (state.rowOf[edge.column] === -1 || state.rowOf[edge.column]! > row),
  );
  if (wanted.length === 0) return;

  const takers = new Map<number, number[]>();
  const empty: number[] = [];
  const seenEmpty = new Set<number>();
  for (let other = row + 1; other < state.edges.length; other += 1) {
    for (const edge of state.edges[other]!) {
      if (slack(state, other, edge) !== 0) continue;
      const list = takers.get(edge.column);
      if (list) list.push(other);
      else takers.set(edge.column, [other]);
    }
  }
  const noteEmpty = (column: number): void => {
    if (state.rowOf[column] !== -1 || seenEmpty.has(column)) return;
    seenEmpty.add(column);
    empty.push(column);
  };
  for (let other = row; other < state.edges.length; other += 1) for (const edge of state.edges[other]!) noteEmpty(edge.column);

  const next = new Map<number, number>();
  const queue = [home];
  const visit = (node: number, onward: number): void => {
    if (node === home || next.has(node)) return;
    next.set(node, onward);
    queue.push(node);
  };
  for (let i = 0; i < queue.length; i += 1) {
    const node = queue[i]!;
    if (node === FREE) {
      for (const column of empty) visit(column, FREE);
      continue;
    }
    for (const other of takers.get(node) ?? []) visit(state.columnOf[other]!, node);
    if (state.rowOf[node] !== -1 && state.columnPrice[node] === 0) visit(FREE, node);
  }
  const target = wanted.find((edge) => next.has(edge.column));
  if (target) move(state, row, target.column, home, next);
}

/** Row goes to `target`; whoever was there goes on along `next`, until `home`. */
function move(state: State, row: number, target: number, home: number, next: ReadonlyMap<number, number>): void {
  state.rowOf[home] = -1;
  let mover = row;
  let column = target;
  for (;;) {
    const pushed = state.rowOf[column]!;
    state.columnOf[mover] = column;
    state.rowOf[column] = mover;
    if (column === home) return;
    let onward = next.get(column)!;
    if (onward === FREE) {
      onward = next.get(FREE)!;
      if (onward === home) return;
      mover = state.rowOf[onward]!;
      state.rowOf[onward] = -1;
      onward = next.get(onward)!;
      column = onward;
      continue;
    }
    mover = pushed;
    column = onward;
  }
}

/** Smallest rank first, then smallest column. */
class Heap {
  private readonly items: [number, number][] = [];

  private before(a: number, b: number): boolean {
    const [x, y] = [this.items[a]!, this.items[b]!];
    return x[0] < y[0] || (x[0] === y[0] && x[1] < y[1]);
  }

  private swap(a: number, b: number): void {
    [this.items[a], this.items[b]] = [this.items[b]!, this.items[a]!];
  }

  push(rank: number, column: number): void {
    let place = this.items.push([rank, column]) - 1;
    while (place > 0 && this.before(place, (place - 1) >> 1)) {
      this.swap(place, (place - 1) >> 1);
      place = (place - 1) >> 1;
    }
  }

  pop(): number {
    const top = this.items[0]!;
    const last = this.items.pop()!;
    if (this.items.length > 0) {
      this.items[0] = last;
      for (let place = 0; ; ) {
        let least = place;
        for (const child of [2 * place + 1, 2 * place + 2]) if (child < this.items.length && this.before(child, least)) least = child;
        if (least === place) break;
        this.swap(place, least);
        place = least;
      }
    }
    return top[1];
  }
}
