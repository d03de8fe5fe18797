//! An order of points that is kept while links come and go.
//!
//! Pearce and Kelly ("A dynamic topological sort algorithm for directed acyclic graphs", JEA
//! 2006): a link that agrees with the order costs nothing; one that does not moves only points
//! between its ends. Taking the last links back leaves the order as it is, since it agrees with
//! fewer links as well.

use super::problem::{Link, Point};

/// What a link rests on: choices of the search, by their literals; `NONE` for none.
pub(super) type Grounds = [u32; 2];

/// No literal.
pub(super) const NONE: u32 = u32::MAX;

/// A link with its grounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) link: Link,
    pub(super) grounds: Grounds,
}

/// The order, and the links that it agrees with.
pub(super) struct Order {
    edges: Vec<Edge>,
    out: Vec<Vec<u32>>,
    into: Vec<Vec<u32>>,
    /// Each point's place, and the point at each place.
    places: Vec<u32>,
    points: Vec<Point>,
    /// The point's visit, to compare with `visit`, and the edge that led there.
    visited: Vec<(u32, u32)>,
    visit: u32,
    ahead: Vec<Point>,
    behind: Vec<Point>,
    /// Points that were moved since the caller last looked.
    pub(super) moved: Vec<Point>,
}

impl Order {
    /// All points in the order given, which must agree with `links`.
    pub(super) fn new(points: Vec<Point>, links: &[Link]) -> Order {
        let mut places = vec![0; points.len()];
        for (place, point) in points.iter().enumerate() {
            places[*point as usize] = place as u32;
        }
        let count = points.len();
        let mut order = Order {
            edges: Vec::with_capacity(links.len()),
            out: vec![Vec::new(); count],
            into: vec![Vec::new(); count],
            places,
            points,
            visited: vec![(0, NONE); count],
            visit: 0,
            ahead: Vec::new(),
            behind: Vec::new(),
            moved: Vec::new(),
        };
        for link in links {
            order.push(Edge { link: *link, grounds: [NONE; 2] });
        }
        order
    }

    pub(super) fn place(&self, point: Point) -> u32 {
        self.places[point as usize]
    }

    /// How many links there are.
    pub(super) fn len(&self) -> usize {
        self.edges.len()
    }

    /// Takes links back until only so many are left.
    pub(super) fn truncate(&mut self, len: usize) {
        while self.edges.len() > len {
            if let Some(Edge { link, .. }) = self.edges.pop() {
                self.out[link.from as usize].pop();
                self.into[link.to as usize].pop();
            }
        }
    }

    fn push(&mut self, edge: Edge) {
        let at = self.edges.len() as u32;
        self.out[edge.link.from as usize].push(at);
        self.into[edge.link.to as usize].push(at);
        self.edges.push(edge);
    }

    /// A link by its position: those given at first keep theirs.
    pub(super) fn edge(&self, at: u32) -> Edge {
        self.edges[at as usize]
    }

    /// Adds a link; or gives the links that would make a circle with it, by their positions.
    /// Then nothing has changed.
    pub(super) fn insert(&mut self, edge: Edge) -> Result<(), Vec<u32>> {
        let Link { from, to, .. } = edge.link;
        if from == to {
            return Err(Vec::new());
        }
        let (low, high) = (self.place(to), self.place(from));
        if low < high {
            self.forward(edge, high)?;
            self.backward(from, low);
            self.rearrange();
        }
        self.push(edge);
        Ok(())
    }

    /// All points that come behind `edge` and not behind its beginning.
    fn forward(&mut self, edge: Edge, high: u32) -> Result<(), Vec<u32>> {
        let Link { from, to, .. } = edge.link;
        self.visit += 1;
        self.ahead.clear();
        self.ahead.push(to);
        self.visited[to as usize] = (self.visit, NONE);
        let mut done = 0;
        while done < self.ahead.len() {
            let point = self.ahead[done];
            done += 1;
            for at in &self.out[point as usize] {
                let next = self.edges[*at as usize].link.to;
                if next == from {
                    return Err(self.circle(edge, *at));
                }
                if self.places[next as usize] < high && self.visited[next as usize].0 != self.visit
                {
                    self.visited[next as usize] = (self.visit, *at);
                    self.ahead.push(next);
                }
            }
        }
        Ok(())
    }

    fn backward(&mut self, from: Point, low: u32) {
        self.visit += 1;
        self.behind.clear();
        self.behind.push(from);
        self.visited[from as usize] = (self.visit, NONE);
        let mut done = 0;
        while done < self.behind.len() {
            let point = self.behind[done];
            done += 1;
            for at in &self.into[point as usize] {
                let next = self.edges[*at as usize].link.from;
                if self.places[next as usize] > low && self.visited[next as usize].0 != self.visit {
                    self.visited[next as usize] = (self.visit, *at);
                    self.behind.push(next);
                }
            }
        }
    }

    /// Puts what must come first before what must come later, on the places of both.
    fn rearrange(&mut self) {
        let places = &self.places;
        self.ahead.sort_unstable_by_key(|point| places[*point as usize]);
        self.behind.sort_unstable_by_key(|point| places[*point as usize]);
        let mut free: Vec<u32> =
            self.behind.iter().chain(&self.ahead).map(|p| self.places[*p as usize]).collect();
        free.sort_unstable();
        for (point, place) in self.behind.iter().chain(&self.ahead).zip(free) {
            self.places[*point as usize] = place;
            self.points[place as usize] = *point;
            self.moved.push(*point);
        }
    }

    /// The way found from the end of `edge` to the beginning of it, whose last link is `last`.
    fn circle(&self, edge: Edge, last: u32) -> Vec<u32> {
        let mut circle = vec![last];
        let mut point = self.edges[last as usize].link.from;
        while point != edge.link.to {
            let at = self.visited[point as usize].1;
            circle.push(at);
            point = self.edges[at as usize].link.from;
        }
        circle
    }
}
