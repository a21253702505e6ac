/** What must be so of VMs that have been through something. */
import assert from "node:assert/strict";
import type { Blocks } from "./small-disk.js";

export interface Vm {
  readonly blocks: Blocks;
  readonly runs: boolean;
}

/** By their places: the VMs, and what crashes have left, of which nothing is promised but that it can be removed. */
export class Model {
  readonly vms = new Map<number, Vm>();
  readonly left = new Set<number>();

  /** Places of VMs that run, or that do not. */
  where(runs: boolean): number[] {
    return [...this.vms].filter(([, vm]) => vm.runs === runs).map(([place]) => place);
  }

  get(place: number): Vm {
    const vm = this.vms.get(place);
    assert.ok(vm);
    return vm;
  }

  set(place: number, vm: Vm): void {
    this.left.delete(place);
    this.vms.set(place, vm);
  }

  remove(place: number): void {
    this.left.delete(place);
    this.vms.delete(place);
  }

  /** A crash has left something of it. */
  leave(place: number): void {
    this.vms.delete(place);
    this.left.add(place);
  }
}
