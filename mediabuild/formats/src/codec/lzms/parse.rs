//! `Parser`: the cheapest items for a stretch of a chunk, at the prices of the moment.
//!
//! Forward dynamic programming: each position keeps the cheapest way to it and the state it leaves
//! behind, from which the ways further on are priced. The way to a position that another one beats
//! is forgotten, although its state may have been worth more; so a match is also priced together
//! with a literal and a repeat match behind it, the usual case of that.

use std::ops::Range;

use super::costs::{Costs, LENGTHS_MAX};
use super::delta::{self, DeltaMatch, MIN_DELTA};
use super::emit::Emitter;
use super::finder::{BATCH, Finder, Match};
use super::model::{Decisions, REPEATS, RecentItems};
use super::probability::{Decision, Recent};
use super::state::{Item, State};
use super::window::Window;

/// Shortest repeat match that is weighed. Those of one byte gain 0.04 %, and cost readers time.
const MIN_REPEAT: usize = 2;
/// Shortest repeat match behind a literal that is weighed together with it: 1 and 3 are both worse.
const MIN_TAIL: usize = 2;
/// Shortest match with an offset of its own.
const MIN_EXPLICIT: usize = 2;

/// The cheapest way to a position.
#[derive(Clone, Copy)]
struct Node {
    cost: u32,
    /// Of the last item.
    length: u32,
    item: Item,
    /// If not 0, a literal follows the item, and a repeat match of this length with its offset.
    tail: u32,
}

const UNREACHED: Node = Node { cost: u32::MAX, length: 0, item: Item::LITERAL, tail: 0 };

impl Node {
    /// How far back the node is that it continues.
    fn span(&self) -> usize {
        match self.tail {
            0 => self.length as usize,
            tail => (self.length + 1 + tail) as usize,
        }
    }
}

/// Where a segment ends.
enum End {
    At(usize),
    /// At that node, with a long match behind it.
    With(usize, Item, u32),
}

/// The place that is weighed, and what is known there.
struct Place<'a> {
    view: View<'a>,
    /// Its node.
    index: usize,
    position: usize,
    state: State,
    /// What it costs to get there and begin an item: a literal, an LZ match, a delta match.
    literal_cost: u32,
    lz_cost: u32,
    delta_cost: u32,
}

/// What stays the same while a segment is weighed.
#[derive(Clone, Copy)]
struct View<'a> {
    window: &'a Window,
    finder: &'a Finder,
    costs: &'a Costs,
    decisions: &'a Decisions,
    batch_start: usize,
}

/// A match that may be continued behind one other byte.
struct Interrupted {
    item: Item,
    length: usize,
    offset: usize,
    cost: u32,
    /// The history of explicit and repeated offsets behind it.
    lz_history: u8,
}

/// A match that is taken without weighing, as it is long.
type Taken = Option<(Item, u32)>;

pub(super) struct Parser {
    nodes: Vec<Node>,
    states: Vec<State>,
    /// The last node that is reached.
    reach: usize,
    nice_length: usize,
    path: Vec<(Item, u32)>,
}

impl Parser {
    pub(super) fn new(nice_length: u32) -> Parser {
        // A match from the last node, a literal, and one more match.
        let size = BATCH + 2 * LENGTHS_MAX + 2;
        Parser {
            nodes: vec![UNREACHED; size],
            states: vec![State::of(&Decisions::new(), RecentItems::new()); size],
            reach: 0,
            nice_length: (nice_length as usize).min(LENGTHS_MAX),
            path: Vec::new(),
        }
    }

    /// Emits items for a batch of the finder; returns where the last one ends.
    pub(super) fn batch(
        &mut self,
        window: &Window,
        finder: &Finder,
        costs: &mut Costs,
        emitter: &mut Emitter,
        batch: Range<usize>,
    ) -> usize {
        let mut position = batch.start;
        while position < batch.end {
            costs.update(&emitter.codes);
            let decisions = &emitter.decisions;
            let view = View { window, finder, costs, decisions, batch_start: batch.start };
            self.states[0] = State::of(decisions, emitter.recent);
            let end = self.weigh(view, position..batch.end);
            position = self.emit(window, emitter, position, end);
        }
        position
    }

    /// Finds the cheapest ways through a segment, until a match that is taken.
    fn weigh(&mut self, view: View<'_>, segment: Range<usize>) -> End {
        self.nodes[0] = Node { cost: 0, ..UNREACHED };
        self.reach = 0;
        let count = segment.len();
        for index in 0..count {
            if index > 0 {
                self.set_state(index);
            }
            let place = self.place(view, index, segment.start + index);
            if let Some((item, length)) = self.weigh_at(&place) {
                return End::With(index, item, length);
            }
        }
        End::At(self.cheapest_end(count))
    }

    fn set_state(&mut self, index: usize) {
        let node = self.nodes[index];
        let mut state = self.states[index - node.span()].after(node.item);
        if node.tail > 0 {
            state = state.after(Item::LITERAL).after(Item::repeat(0));
        }
        self.states[index] = state;
    }

    /// The end of the segment, or a node behind it that a match over the end reaches: what remains
    /// up to the farthest node is taken to cost the average.
    fn cheapest_end(&self, count: usize) -> usize {
        let average = self.nodes[count].cost / count as u32;
        let rest = |index: usize| (self.reach - index) as u32 * average;
        (count..=self.reach)
            .min_by_key(|&index| self.nodes[index].cost.saturating_add(rest(index)))
            .unwrap_or(count)
    }

    #[inline(always)]
    fn place<'a>(&self, view: View<'a>, index: usize, position: usize) -> Place<'a> {
        let state = self.states[index];
        let [literal, copy] = view.price(&view.decisions.main, state.main);
        let [lz, delta] = view.price(&view.decisions.kind, state.kind);
        let cost = self.nodes[index].cost;
        let literal_cost = cost + literal;
        let (lz_cost, delta_cost) = (cost + copy + lz, cost + copy + delta);
        Place { view, index, position, state, literal_cost, lz_cost, delta_cost }
    }

    /// Prices all items from a place on.
    #[inline(always)]
    fn weigh_at(&mut self, place: &Place<'_>) -> Taken {
        let byte = place.view.window.byte(place.position);
        let literal = place.literal_cost + place.view.costs.literal[usize::from(byte)];
        self.extend_to(place.index + 1);
        self.relax(place.index + 1, literal, 1, Item::LITERAL);
        let history = place.state.lz;
        let [explicit, repeated] = place.view.price(&place.view.decisions.lz, history);
        let longest = place.matches().longest();
        let repeat = self.weigh_repeats(place, place.lz_cost + repeated);
        if repeat.is_some_and(|(_, length)| length >= longest.length) {
            return repeat;
        }
        if longest.length as usize >= self.nice_length {
            return Some((Item::offset(longest.offset), longest.length));
        }
        self.weigh_matches(place, place.lz_cost + explicit);
        let history = place.state.delta;
        let [explicit, repeated] = place.view.price(&place.view.decisions.delta, history);
        self.weigh_delta_repeats(place, place.delta_cost + repeated)
            .or_else(|| self.weigh_deltas(place, place.delta_cost + explicit))
    }

    #[inline(always)]
    fn weigh_repeats(&mut self, place: &Place<'_>, cost: u32) -> Taken {
        let Place { view, position, .. } = *place;
        let index_costs = view.repeat_prices(&view.decisions.lz_repeat, place.state.lz_repeat);
        let mut taken: Taken = None;
        for (repeat, index_cost) in index_costs.into_iter().enumerate() {
            let offset = place.state.lz_offset(repeat) as usize;
            if offset > position {
                continue;
            }
            let length = view.window.common(position - offset, position, place.rest());
            if length < MIN_REPEAT {
                continue;
            }
            let item = Item::repeat(repeat);
            if length >= self.nice_length && taken.is_none_or(|(_, best)| length as u32 > best) {
                taken = Some((item, length as u32));
            }
            let (length, cost) = (length.min(self.nice_length), cost + index_cost);
            self.relax_lengths(place, cost, MIN_REPEAT..=length, item);
            let (cost, lz_history) = (cost + view.costs.length[length], place.state.lz << 1 | 1);
            self.weigh_tail(place, Interrupted { item, length, offset, cost, lz_history });
        }
        taken
    }

    /// Longer matches are farther away, so each is for the lengths that nearer ones lack.
    #[inline(always)]
    fn weigh_matches(&mut self, place: &Place<'_>, cost: u32) {
        let mut shortest = MIN_EXPLICIT;
        for &Match { length, offset } in place.matches().as_slice() {
            let (item, length) = (Item::offset(offset), length as usize);
            let cost = cost + place.view.costs.lz_offset(offset);
            self.relax_lengths(place, cost, shortest..=length, item);
            shortest = length + 1;
            let cost = cost + place.view.costs.length[length];
            let (offset, lz_history) = (offset as usize, place.state.lz << 1);
            self.weigh_tail(place, Interrupted { item, length, offset, cost, lz_history });
        }
    }

    /// Prices a match with a literal and a repeat match behind it: bytes that differ in one place.
    #[inline(always)]
    fn weigh_tail(&mut self, place: &Place<'_>, first: Interrupted) {
        let Place { view, state, .. } = place;
        let literal = place.position + first.length;
        let position = literal + 1;
        if position + MIN_TAIL > view.window.end() {
            return;
        }
        let limit = (view.window.end() - position).min(self.nice_length);
        let length = view.window.common(position - first.offset, position, limit);
        if length < MIN_TAIL {
            return;
        }
        let after_match = state.main << 1 | 1;
        let [zero, _] = view.price(&view.decisions.main, after_match);
        let [_, copy] = view.price(&view.decisions.main, after_match << 1);
        let [lz, _] = view.price(&view.decisions.kind, state.kind << 1);
        let [_, repeated] = view.price(&view.decisions.lz, first.lz_history);
        let [latest, _] = view.price(&view.decisions.lz_repeat[0], state.lz_repeat[0]);
        let literal = zero + view.costs.literal[usize::from(view.window.byte(literal))];
        let repeat = copy + lz + repeated + latest + view.costs.length[length];
        let (cost, to) = (first.cost + literal + repeat, place.index + first.length + 1 + length);
        self.extend_to(to);
        if cost < self.nodes[to].cost {
            let (tail, item) = (length as u32, first.item);
            self.nodes[to] = Node { cost, length: first.length as u32, item, tail };
        }
    }

    #[inline(always)]
    fn weigh_delta_repeats(&mut self, place: &Place<'_>, cost: u32) -> Taken {
        let Place { view, position, .. } = *place;
        let histories = place.state.delta_repeat;
        let index_costs = view.repeat_prices(&view.decisions.delta_repeat, histories);
        for (repeat, index_cost) in index_costs.into_iter().enumerate() {
            let delta = place.state.delta(repeat);
            let (offset, span) = (delta.offset() as usize, delta.span());
            if offset + span > position {
                continue;
            }
            let length = delta::common(view.window, position, offset, span, place.rest());
            let item = Item::delta_repeat(repeat);
            if length >= self.nice_length {
                return Some((item, length as u32));
            }
            self.relax_lengths(place, cost + index_cost, MIN_REPEAT..=length, item);
        }
        None
    }

    #[inline(always)]
    fn weigh_deltas(&mut self, place: &Place<'_>, cost: u32) -> Taken {
        let costs = place.view.costs;
        let index = place.position - place.view.batch_start;
        for &DeltaMatch { length, delta } in place.view.finder.found_deltas(index) {
            let item = Item::delta(delta);
            if length as usize >= self.nice_length {
                return Some((item, length));
            }
            let power = costs.delta_power[delta.power as usize];
            let cost = cost + power + costs.delta_offset(delta.raw_offset);
            self.relax_lengths(place, cost, MIN_DELTA as usize..=length as usize, item);
        }
        None
    }

    /// Offers one source for several lengths.
    #[inline(always)]
    fn relax_lengths(
        &mut self,
        place: &Place<'_>,
        cost: u32,
        lengths: std::ops::RangeInclusive<usize>,
        item: Item,
    ) {
        if lengths.is_empty() {
            return;
        }
        self.extend_to(place.index + lengths.end());
        for length in lengths {
            let cost = cost + place.view.costs.length[length];
            self.relax(place.index + length, cost, length, item);
        }
    }

    #[inline(always)]
    fn relax(&mut self, to: usize, cost: u32, length: usize, item: Item) {
        let node = &mut self.nodes[to];
        if cost < node.cost {
            *node = Node { cost, length: length as u32, item, tail: 0 };
        }
    }

    #[inline(always)]
    fn extend_to(&mut self, index: usize) {
        while self.reach < index {
            self.reach += 1;
            self.nodes[self.reach] = UNREACHED;
        }
    }

    /// Emits the items of a segment; returns where the last one ends.
    fn emit(&mut self, window: &Window, emitter: &mut Emitter, start: usize, end: End) -> usize {
        let (End::At(mut index) | End::With(mut index, ..)) = end;
        self.path.clear();
        if let End::With(_, item, length) = end {
            self.path.push((item, length));
        }
        while index > 0 {
            let node = self.nodes[index];
            if node.tail > 0 {
                self.path.extend([(Item::repeat(0), node.tail), (Item::LITERAL, 1)]);
            }
            self.path.push((node.item, node.length));
            index -= node.span();
        }
        let mut position = start;
        for &(item, length) in self.path.iter().rev() {
            match item.origin() {
                None => emitter.literal(window.byte(position)),
                Some(origin) => emitter.copy(origin, length),
            }
            position += length as usize;
        }
        position
    }
}

impl Place<'_> {
    fn matches(&self) -> &super::finder::Matches {
        self.view.finder.found(self.position - self.view.batch_start)
    }

    /// How long a match can be.
    fn rest(&self) -> usize {
        self.view.window.end() - self.position
    }
}

impl View<'_> {
    /// What a zero and a one cost.
    #[inline(always)]
    fn price<const N: usize>(&self, decision: &Decision<N>, history: u8) -> [u32; 2] {
        let recent: &Recent = &decision.recent[usize::from(history) & (N - 1)];
        self.costs.decision(recent.zero_probability())
    }

    /// What the indexes of repeated offsets cost.
    #[inline(always)]
    fn repeat_prices<const N: usize>(
        &self,
        decisions: &[Decision<N>; 2],
        histories: [u8; 2],
    ) -> [u32; REPEATS] {
        let first = self.price(&decisions[0], histories[0]);
        let second = self.price(&decisions[1], histories[1]);
        [first[0], first[1] + second[0], first[1] + second[1]]
    }
}
