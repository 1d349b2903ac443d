/** Binary search. */

/** The first index for which it holds; `size` if there is none. It has to hold for all later ones, too. */
export function firstWhere(size: number, holds: (index: number) => boolean): number {
  let low = 0
  let high = size
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
