/**
 * Lives of a tree over one simulated disk, killed at any write of its store: the laws of the kit hold of each, and of all together nothing that
 * was promised is lost, done twice in a state, or told otherwise.
 */
import { describe, expect, test } from 'vitest'
import { propertyLives } from 'curtaincall/testing'
import { campaign, shop } from '../support/durable-shop.ts'

describe('propertyLives', () => {
  test('DR1, DR2, DR3, DR4, DR5, DR6, CM2, LG2: of any lives, killed at any write, on a disk with faults', { timeout: 120_000 }, async () => {
    const { runs, lives } = await propertyLives(shop, { ...campaign, runs: 400, seed: 4 })
    expect(runs).toBe(400)
    expect(lives).toBeGreaterThan(1_000)
  })
})
