// Which contexts exist. The host knows them by number.

import { BaseContext } from "./base";
import { get_property, log } from "./calls";
import { Context, RootContext } from "./contexts";
import { Table } from "./table";
import { LogLevelValues } from "./values";

type MakeRoot = (context_id: u32) => RootContext;

class Registration {
  constructor(public name: string, public make: MakeRoot) {}
}

const registrations: Registration[] = [];

const contexts = new Table();

/** Say which root context belongs to the root id `name`, by which a proxy's config asks for it. */
export function registerRootContext(root_context_factory: MakeRoot, name: string): void {
  registrations.push(new Registration(name, root_context_factory));
}

/** The context of this number, of whichever kind. */
// @ts-ignore: decorator
@inline
export function find(context_id: u32): BaseContext | null { return contexts.get(context_id) as BaseContext | null; }

/** The root context of this number. */
export function find_root(context_id: u32): RootContext | null { return contexts.get(context_id) as RootContext | null; }

/** The stream of this number; asking for one that is not there ends the module. */
// @ts-ignore: decorator
@inline
export function stream(context_id: u32): Context { return contexts.get(context_id)! as Context; }

export function forget(context_id: u32): void { contexts.delete(context_id); }

export function create_stream(context_id: u32, root_context_id: u32): void {
  const root = find_root(root_context_id);
  if (root !== null) contexts.set(context_id, root.createContext(context_id));
}

/** Make the root context that the proxy's config asks for; without one, say so: the start then fails. */
export function create_root(context_id: u32): void {
  const root_id = String.UTF8.decode(get_property("plugin_root_id"));
  const registration = choose(root_id);
  if (registration === null) {
    log(LogLevelValues.critical,
      "no root context is registered as \"" + root_id + "\"; root_id must be one of:" + registered_names());
    return;
  }
  const root = registration.make(context_id);
  root.context_id = context_id;
  contexts.set(context_id, root);
}

function choose(root_id: string): Registration | null {
  for (let i = 0; i < registrations.length; i++) {
    if (registrations[i].name == root_id) return registrations[i];
  }
  // A config without a root id means the only filter there is.
  return root_id == "" && registrations.length == 1 ? registrations[0] : null;
}

function registered_names(): string {
  let names = "";
  for (let i = 0; i < registrations.length; i++) names += " " + registrations[i].name;
  return names;
}
