//! Who comes before whom, as far as links say: a clock for each point.
//!
//! Sessions are chains, so what comes before a point is a prefix of each chain, and one number a
//! chain says how long it is. That is points × sessions, where a matrix over pairs would be
//! points × points.

use super::problem::{Point, Problem};

/// Clocks beyond so many numbers are not made.
const NUMBERS_MAX: usize = 1 << 26;

/// For each point how many of each chain come before it.
pub(super) struct Clocks {
    chains: usize,
    counts: Vec<u32>,
}

/// Links that lead in a circle, by their positions, each behind the one before.
pub(super) struct Circle(pub(super) Vec<u32>);

/// Links by where they end.
struct Incoming {
    starts: Vec<u32>,
    links: Vec<u32>,
}

impl Incoming {
    fn new(problem: &Problem<'_, '_>) -> Incoming {
        let mut starts = vec![0_u32; problem.points() + 1];
        for link in &problem.links {
            starts[link.to as usize + 1] += 1;
        }
        for point in 1..starts.len() {
            starts[point] += starts[point - 1];
        }
        let mut next = starts.clone();
        let mut links = vec![0; problem.links.len()];
        for (at, link) in problem.links.iter().enumerate() {
            links[next[link.to as usize] as usize] = at as u32;
            next[link.to as usize] += 1;
        }
        Incoming { starts, links }
    }

    fn of(&self, point: Point) -> &[u32] {
        &self.links[self.starts[point as usize] as usize..self.starts[point as usize + 1] as usize]
    }
}

impl Clocks {
    /// Whether clocks for this problem fit into memory.
    pub(super) fn fit(problem: &Problem<'_, '_>) -> bool {
        problem.points().saturating_mul(problem.chains()) <= NUMBERS_MAX
    }

    /// Clocks by all links, or a circle of links.
    pub(super) fn new(problem: &Problem<'_, '_>) -> Result<Clocks, Circle> {
        let incoming = Incoming::new(problem);
        let order = topological(problem, &incoming)?;
        let chains = problem.chains();
        let mut clocks = Clocks { chains, counts: vec![0; problem.points() * chains] };
        for point in order {
            for at in incoming.of(point) {
                clocks.join(problem, point, problem.links[*at as usize].from);
            }
        }
        Ok(clocks)
    }

    fn join(&mut self, problem: &Problem<'_, '_>, point: Point, past: Point) {
        let (to, from) = (point as usize * self.chains, past as usize * self.chains);
        let (low, high) = self.counts.split_at_mut(to.max(from));
        let (target, source) = if to < from {
            (&mut low[to..to + self.chains], &high[..self.chains])
        } else {
            (&mut high[..self.chains], &low[from..from + self.chains])
        };
        for (target, source) in target.iter_mut().zip(source) {
            *target = (*target).max(*source);
        }
        let (chain, place) = problem.chain(past);
        target[chain] = target[chain].max(place + 1);
    }

    /// Whether `a` comes before `b`.
    pub(super) fn before(&self, problem: &Problem<'_, '_>, a: Point, b: Point) -> bool {
        let (chain, place) = problem.chain(a);
        self.counts[b as usize * self.chains + chain] > place
    }
}

/// A circle of links, if there is one; for problems whose clocks do not fit.
pub(super) fn circle(problem: &Problem<'_, '_>) -> Option<Circle> {
    topological(problem, &Incoming::new(problem)).err()
}

/// All points, each behind those before it.
fn topological(problem: &Problem<'_, '_>, incoming: &Incoming) -> Result<Vec<Point>, Circle> {
    const DONE: u32 = u32::MAX;
    let mut order = Vec::with_capacity(problem.points());
    // For each point how many of its links were followed, from 1 while it is on the stack.
    let mut followed = vec![0_u32; problem.points()];
    let mut stack: Vec<Point> = Vec::new();
    for root in 0..problem.points() as Point {
        if followed[root as usize] != 0 {
            continue;
        }
        stack.push(root);
        followed[root as usize] = 1;
        while let Some(point) = stack.last().copied() {
            let number = followed[point as usize] as usize - 1;
            let Some(at) = incoming.of(point).get(number) else {
                followed[point as usize] = DONE;
                order.push(point);
                stack.pop();
                continue;
            };
            followed[point as usize] += 1;
            let from = problem.links[*at as usize].from;
            match followed[from as usize] {
                DONE => {}
                0 => {
                    followed[from as usize] = 1;
                    stack.push(from);
                }
                _ => return Err(shortest(problem, incoming, from)),
            }
        }
    }
    Ok(order)
}

/// A shortest circle through a point that is on one.
fn shortest(problem: &Problem<'_, '_>, incoming: &Incoming, through: Point) -> Circle {
    path(problem, |point| incoming.of(point).to_vec(), through, through)
        .map_or_else(|| Circle(Vec::new()), Circle)
}

/// A shortest way from `from` to `to`, as positions of links.
pub(super) fn path(
    problem: &Problem<'_, '_>,
    incoming: impl Fn(Point) -> Vec<u32>,
    from: Point,
    to: Point,
) -> Option<Vec<u32>> {
    const UNSEEN: u32 = u32::MAX;
    let mut next = vec![UNSEEN; problem.points()];
    let mut layer = vec![to];
    while !layer.is_empty() {
        let mut reached = Vec::new();
        for point in layer {
            for at in incoming(point) {
                let before = problem.links[at as usize].from;
                if next[before as usize] != UNSEEN {
                    continue;
                }
                next[before as usize] = at;
                if before == from {
                    let mut way = vec![at];
                    let mut here = problem.links[at as usize].to;
                    while here != to {
                        let at = next[here as usize];
                        way.push(at);
                        here = problem.links[at as usize].to;
                    }
                    return Some(way);
                }
                reached.push(before);
            }
        }
        layer = reached;
    }
    None
}
