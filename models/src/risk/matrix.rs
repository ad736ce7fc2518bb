//! The grade matrix hazard × vulnerability (矩阵判定), editable; the default is this project's proposal, unverified.

/// Grades by row (hazard grade) and column (vulnerability grade), 1 the highest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GradeMatrix(pub Vec<Vec<u8>>);

impl Default for GradeMatrix {
    /// Rows hazard, columns vulnerability, very high to low: a proposal, not a standard.
    fn default() -> Self {
        GradeMatrix(vec![
            vec![1, 1, 2, 3],
            vec![1, 2, 2, 3],
            vec![2, 2, 3, 4],
            vec![3, 3, 4, 4],
        ])
    }
}

impl GradeMatrix {
    /// Grade of a pair of grades; 0 where either is 0 or beyond the matrix.
    pub fn grade(&self, hazard: u8, vulnerability: u8) -> u8 {
        let cell = |a: u8, b: u8| {
            self.0
                .get(a.checked_sub(1)? as usize)?
                .get(b.checked_sub(1)? as usize)
                .copied()
        };
        cell(hazard, vulnerability).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_looked_up() {
        let m = GradeMatrix::default();
        assert_eq!(
            (m.grade(1, 4), m.grade(4, 1), m.grade(0, 1), m.grade(9, 1)),
            (3, 3, 0, 0)
        );
    }
}
